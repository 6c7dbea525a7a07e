# Functions: local, nameref, recursion, export.
f() { local -n r=$1; r=changed; }; v=old; f v; echo $v; g() { echo "exported $1"; }; export -f g; bash -c 'g yes'; h() { local x=1; i; echo $x; }; i() { x=2; }; h; r() { ((${1} == 0)) || r $(($1 - 1)); echo -n "$1 "; }; r 5; echo; caller || echo top; declare -F g
