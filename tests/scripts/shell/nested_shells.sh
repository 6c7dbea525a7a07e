# Shells in shells.
sh -c 'sh -c "sh -c \"echo three\""'
sh -c 'echo $$' | grep -c '^[0-9]*$'
[ "$(sh -c 'echo $PPID')" = $$ ] && echo "its parent"
sh -c 'exit 3' || sh -c "exit $(($? + 1))"; echo $?
echo 'echo read from stdin; echo $((6 * 7))' | sh
for i in 1 2 3 4 5; do sh -c "echo $i"; done
sh -c 'for a in "$@"; do echo "$a"; done' x 'a b' c
sh -c 'cat' <<END
through
END
(sh -c 'sleep 0.1; echo slow' & wait); sh -c 'x=$(sh -c "echo inner"); echo "$x outer"'
sh -c 'kill $$' ; echo $?
sh -c 'trap "echo bye" EXIT; exit 2'; echo $?
