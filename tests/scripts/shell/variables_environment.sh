# Variables and the environment of commands.
A=1; sh -c 'echo "[$A]"'; export A; sh -c 'echo "[$A]"'
B=2 sh -c 'echo "[$B]"'; echo "[$B]"
export C=3; env | grep '^C='; unset C; env | grep -c '^C='
env -i X=y env; env -u A sh -c 'echo "[$A]"'
readonly R=1; (R=2) 2>/dev/null || echo "read only"
D=x E=y; echo $D$E
x='sp  ace'; export x; sh -c 'echo "$x"'
sh -c 'echo $# $0 $2' name a b c
PATH=/nowhere; /nowhere/x 2>/dev/null || echo "not found"
