# Loops: for, while, until, break, continue, nested.
for x in a b 'c d'; do echo "[$x]"; done
for x; do echo never; done
set -- p q; for x; do echo "$x"; done
i=0; while [ $i -lt 3 ]; do echo "while $i"; i=$((i + 1)); done
until [ $i -eq 0 ]; do i=$((i - 1)); echo "until $i"; done
for a in 1 2 3; do for b in 1 2 3; do
    [ $b = 2 ] && continue
    [ $a = 2 ] && break 2
    echo "$a$b"
done; done
while :; do i=$((i + 1)); [ $i -gt 5 ] && break; done; echo "i $i"
for x in $(seq 3 -1 1); do printf '%s ' $x; done; echo
seq 1 4 | while read n; do [ $n = 3 ] && continue; echo "n $n"; done
for f in *; do echo "glob $f"; done
while false; do :; done; echo "status of an empty loop $?"
i=0; while [ $i -lt 500 ]; do i=$((i + 1)); done; echo $i
