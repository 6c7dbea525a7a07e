# Limits.
(ulimit -n 20; ulimit -n; ulimit -Hn)
(ulimit -c 0; ulimit -c)
(ulimit -S -n 10; ulimit -n; exec 9</dev/null && echo nine; (exec 12</dev/null) 2>/dev/null || echo "beyond the limit")
(ulimit -f 100000; ulimit -f)
(ulimit -t 100; ulimit -t)
(ulimit -s 4096; sh -c 'ulimit -s')
(ulimit -n 16; ulimit -n 32 2>/dev/null; echo $(($(ulimit -n) == 16 || $(ulimit -n) == 32)))
(ulimit -v 2000000; ulimit -v)
