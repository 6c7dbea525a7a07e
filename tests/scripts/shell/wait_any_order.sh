# Many children, waited for in any order.
pids=
for i in 1 2 3 4 5 6 7 8; do (exit $i) & pids="$! $pids"; done
for p in $pids; do wait $p; printf '%s ' $?; done; echo
i=0; while [ $i -lt 20 ]; do true & i=$((i + 1)); done; wait; echo "twenty: $?"
(sleep 0.1; exit 1) & a=$!; (exit 2) & b=$!; wait $a; echo $?; wait $b; echo $?
(echo child >f) & sh -c '(sleep 0.05; echo grandchild >g.new; mv g.new g) &'; wait; until [ -e g ]; do sleep 0.05; done; cat f g
wait; echo "nobody: $?"
