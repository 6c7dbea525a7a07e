# timeout, sleep, nice, nohup, time's format.
timeout 0.2 sleep 10; echo "timeout $?"
timeout 5 true; echo "in time $?"
{ timeout -s KILL 0.1 sleep 10; } 2>/dev/null; echo "killed $?"
timeout 5 sh -c 'exit 9'; echo "its own $?"
sleep 0.01 0.01; echo slept; usleep 1000 && echo "slept shortly"
start=$(date +%s); sleep 1; end=$(date +%s); [ $((end - start)) -ge 1 ] && echo "a second at least"
date -u -d @86400 +%Y-%m-%dT%H:%M:%S; date -u -d '2024-02-29 12:00' +%j
