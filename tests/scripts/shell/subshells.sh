# Subshells keep their changes to themselves.
x=1; (x=2; echo "inside $x"); echo "outside $x"
mkdir d; (cd d; echo "${PWD##*/}"); echo "${PWD##*/}"
(umask 077; umask); umask 022; umask
(exec >inner; echo hidden); cat inner
{ x=3; }; echo "braces $x"
(set -- a b c; echo $#); echo $#
echo y | { read x; echo "in a pipe: $x"; }
( ( ( echo three deep; exit 3 ) ; exit $(($? + 1)) ); echo $? )
(f() { echo f; }; f); f 2>/dev/null || echo "no f here"
(export E=1; sh -c 'echo "E=$E"'); sh -c 'echo "E=$E"'
(trap 'echo t' EXIT)
a=$(x=9; echo $x); echo "$a $x"
