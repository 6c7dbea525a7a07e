# Signals that the parent sends, and those that children inherit.
{ env sleep 20 & p=$!; sleep 0.1; kill -STOP $p; kill -CONT $p; kill $p; wait $p; } 2>/dev/null; echo "ended: $?"
(trap '' TERM; exec sh -c 'kill $$; echo "ignored over exec"')
{ (trap 'echo no' TERM; exec sh -c 'kill $$; echo never'); } 2>/dev/null; echo "handler gone over exec: $?"
mkfifo ready; sh -c 'trap "echo caught; exit 7" TERM; : >ready; while :; do sleep 0.02; done' & p=$!; cat ready; kill $p; wait $p; echo $?
{ sh -c 'echo >ready; exec env sleep 30' & p=$!; read -r x <ready; kill -KILL $p; wait $p; } 2>/dev/null; echo $?
trap 'echo usr1 from a child' USR1; (kill -USR1 $$) & wait; wait; echo done
