# Exit statuses.
true; echo $?
false; echo $?
(exit 255); echo $?
(exit 256); echo $?
(exit 77); echo $?
nosuchcommand 2>/dev/null; echo $?
: >plain; ./plain 2>/dev/null; echo $?
chmod +x plain; ./plain; echo $?
mkdir d; ./d 2>/dev/null; echo $?
sh -c 'exit 12'; echo $?
{ sh -c 'kill -9 $$'; } 2>/dev/null; echo $?
sh nofile 2>/dev/null; echo $?
test 1 = 2; echo $?
f() { false; }; f; echo $?
g() { return; }; false; g; echo $?
true && false || echo or; echo $?
if (exit 4); then :; else echo "else $?"; fi
case x in y) false;; esac; echo $?
