# Parameter expansion.
unset u; e=; v=value
echo "${u-default} ${u:-default} ${e-default} ${e:-default} ${v-default}"
echo "${u+set} ${e+set} ${e:+set} ${v:+set}"
echo "${u=assigned} $u"
echo ${#v}
f=path/to/file.tar.gz
echo ${f#*/} ${f##*/} ${f%.*} ${f%%.*} ${f%/*}
(echo ${nope?message}) 2>/dev/null; echo "status $(( $? != 0 ))"
set -- a b c d e f g h i j k; echo $# ${10} ${11} $1 "${@}"
shift 3; echo $1 $#
x=v; eval "echo \$$x"
echo "${v%?}" "${v#?}"
echo "$((${#f} + 1))"
a='*'; echo "${a}"; y=${v}s; echo $y
set --; echo "$#" "[$*]"
