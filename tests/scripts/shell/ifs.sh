# Word splitting.
count() { echo "$#:$*"; }
x='a b  c'; count $x; count "$x"
IFS=:; x='a:b::c'; count $x; set -- $x; echo "$*"
IFS=' :'; x=' a : b '; count $x
IFS=; x='a b'; count $x
unset IFS; x='a	b
c'; count $x
IFS=,; set -- 1 2 3; echo "$*"; echo "$@"
IFS='
'; for l in $(printf 'one line\nanother line\n'); do echo "[$l]"; done
unset IFS; set -- "a b" c; for i in "$@"; do echo "<$i>"; done; for i in $@; do echo "<$i>"; done
count "$@"; count "$*"; count $*
e=; count $e; count "$e"; count $e$e "$e$e"
