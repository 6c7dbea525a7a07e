# Dates that are given, not asked for.
export TZ=UTC; date -d @0; date -d @1700000000 '+%Y-%m-%d %H:%M:%S %A %j'; date -u -d '2000-01-01 00:00:00' +%s
TZ=UTC date -d @951782400 +%d.%m.%Y; touch -t 202001020304.05 f; date -r f +%Y%m%d%H%M%S; stat -c %y f | cut -c1-19
[ $(date +%Y) -ge 2024 ] && echo "the clock is set"; a=$(date +%s); b=$(date +%s); [ $b -ge $a ] && echo "does not go back"
cal 2 2024 2>/dev/null | head -n 1 | tr -d ' '
