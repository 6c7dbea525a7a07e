# Named pipes.
mkfifo p; test -p p && echo "a pipe"
echo through >p & cat <p; wait
cat <p & seq 1 3 >p; wait
(while read -r l; do echo "got $l"; done) <p & { echo a; echo b; } >p; wait
mkfifo q; (cat <p >q) & echo chained >p & cat q; wait
exec 5<>p; echo both ways >&5; read -r l <&5; echo "$l"; exec 5>&-
ls -l p | cut -c1
rm p; test -e p || echo removed
(sleep 0.1; echo late >q) & read -r l <q; echo "$l"; wait
