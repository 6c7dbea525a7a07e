# A trap interrupts wait.
trap 'echo caught' USR1
env sleep 3 & s=$!
(sleep 0.2; kill -USR1 $$) &
wait $s; echo "wait ended over 128: $(($? > 128))"
kill $s; wait $s 2>/dev/null; echo "then $?"
trap 'echo cleanup; kill $c 2>/dev/null' EXIT; env sleep 20 & c=$!; sleep 0.1; exit 0
