# $!, $$, $PPID and statuses of jobs.
sleep 0.01 & p=$!; [ $p -gt 0 ] && echo "a pid"; wait $p; echo $?
a=$$; b=$(echo $$); [ $a = $b ] && echo "the same \$\$ in a subshell"
(exit 9) & (exit 8) & wait $!; echo $?
kill -TERM $(env sleep 50 >/dev/null & echo $!); echo "sent: $?"
{ sleep 0.1; false; } & wait $! && echo yes || echo no
set -m 2>/dev/null; set +m; true & wait $!; echo $?
sh -c 'exit 130'; echo $?; sh -c 'kill -INT $$'; echo $?
