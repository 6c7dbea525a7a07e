# Processes side by side.
for i in 1 2 3 4 5 6; do (n=0; while [ $n -lt 50 ]; do n=$((n + 1)); done; echo "worker $i $n" >w$i) & done; wait; cat w1 w2 w3 w4 w5 w6
mkfifo p; (for i in 1 2 3; do echo "a$i"; done >p) & (cat p | sort); wait
seq 1 1000 >in; split -l 250 in s; for f in sa?; do (sort -rn $f >$f.o) & done; wait; cat s*.o | wc -l | tr -d ' '
i=0; while [ $i -lt 5 ]; do (echo $i >>log) & i=$((i + 1)); done; wait; sort log | tr '\n' ' '; echo
(sleep 0.3; echo three) & (sleep 0.2; echo two) & (sleep 0.1; echo one) & wait
mkdir lock && (mkdir lock 2>/dev/null || echo "already locked"); rmdir lock
