# Functions: arguments, locals, recursion, return, redirected definitions.
add() { echo $(($1 + $2)); }
add 3 4
count() { echo "$# arguments: $*"; shift; echo "after shift: $1"; }
count a 'b c' d
fact() { if [ "$1" -le 1 ]; then echo 1; else echo $(($1 * $(fact $(($1 - 1))))); fi; }
fact 6
status() { return "$1"; }
status 0 && echo zero; status 42 || echo "status $?"
outer() { inner() { echo "inner of $1"; }; inner "$1"; }
outer one; inner two
scope() { local v=inside 2>/dev/null || v=inside; echo $v; }
v=outside; scope; echo $v
loud() { echo written; } >log
loud; cat log
unset -f add; add 1 2 2>/dev/null || echo "add is gone: $?"
deep() { [ $1 -eq 0 ] || deep $(($1 - 1)); }
deep 200; echo "deep: $?"
