# test and [.
t() { "$@" && echo "yes: $*" || echo "no: $*"; }
echo data >f; : >empty; mkdir d; ln -s f l; ln -s none broken; mkfifo p; chmod 755 f
t test -e f; t test -f f; t test -d f; t test -d d; t test -s f; t test -s empty
t test -L l; t test -h broken; t test -e broken; t test -p p; t test -x f; t test -x empty
t test -r f; t test -c /dev/null; t test -b /dev/null
t test a = a; t test a != a; t test -z ''; t test -n ''; t test 1 -lt 2; t test 2 -le 1
t test 3 -eq 3; t test 3 -ne 3; t test 5 -gt 4; t test 5 -ge 6
t test ! a = b; t test a = a -a b = b; t test a = b -o b = b
t test x; t test ''
t [ f -ef l ]
sleep 0.05; touch new; touch -d '2001-01-01 00:00:00' old; t test new -nt old; t test old -ot new
[ -t 0 ] || echo "no terminal"
[ 1 -eq x ] 2>/dev/null; echo $?
