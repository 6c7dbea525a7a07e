# awk.
printf 'a 1\nb 2\nc 3\n' >f
awk '{ print $2, $1 }' f
awk '{ s += $2 } END { print s, NR }' f
awk '/b/ { print "found", $0 }' f
awk -F : '{ print $1 }' <<END
x:y
END
awk 'BEGIN { for (i = 0; i < 3; i++) printf "%d ", i; print "" }'
awk '{ n[$1]++ } END { for (k in n) print k, n[k] }' f | sort
awk 'BEGIN { print length("hello"), substr("hello", 2, 3), index("hello", "l"), toupper("abc") }'
awk 'BEGIN { print 1/3; print 2^10; print int(7.9); printf "%.3f\n", 3.14159; print sqrt(2) }'
awk -v x=5 'BEGIN { print x * 2 }'
awk 'BEGIN { "echo from a command" | getline line; print line }'
awk 'BEGIN { print "b\na" | "sort"; close("sort"); print "then" }'
awk '{ print > ($1 ".out") }' f; cat a.out c.out
awk 'BEGIN { exit 3 }'; echo $?
awk 'function f(n) { return n < 2 ? 1 : n * f(n - 1) } BEGIN { print f(10) }'
awk 'BEGIN { gsub(/o/, "0", x); s = "foo boo"; gsub(/o/, "0", s); print s; n = split("a,b,c", p, ","); print n, p[2] }'
awk 'BEGIN { print system("exit 2"); print ENVIRON["NOTHING"] "." }'
seq 1 2000 | awk '{ s += $1 } END { print s }'
