# Background jobs and wait.
sleep 0.1 &
wait; echo "all ended: $?"
(exit 3) & wait $!; echo "status $?"
true & a=$!; false & b=$!; wait $a; echo "a $?"; wait $b; echo "b $?"
wait 999999 2>/dev/null; echo "no child: $?"
for i in 1 2 3; do (sleep 0.$i; echo "job $i") & done; wait
{ echo in background; } >out & wait $!; cat out
{ sh -c 'kill -9 $$' & wait $!; } 2>/dev/null; echo "killed: $?"
sh -c 'kill -TERM $$' & wait $! ; echo "terminated: $?"
{ env sleep 10 & p=$!; sleep 0.1; kill $p; wait $p; } 2>/dev/null; echo "gone: $?"
cat <&0 & wait $!; echo "input of a job: $?"
x=$(sleep 0.05; echo late); echo $x
env sleep 30 & sleep 0.1; kill -0 $! && echo "it lives"; kill -KILL $!; wait $! 2>/dev/null; kill -0 $! 2>/dev/null || echo "it is gone"
