# A reader that goes away ends the writer.
yes | head -n 1
seq 1 1000000 | head -n 2
(yes; echo "yes ended with $?" >status) | head -n 1; sleep 0.1; cat status
(trap '' PIPE; yes 2>/dev/null; echo "ignoring: $?" >status) | head -n 1; sleep 0.1; cat status
cat /dev/zero | head -c 100000 | wc -c | tr -d ' '
sh -c 'while :; do echo x; done' 2>/dev/null | head -n 3
