# Braces, substitution, case, here-strings.
echo {a,b}{1,2} {1..5} {a..e} {01..03} {10..0..5}; v=hello; echo "${v/l/L} ${v//l/L} ${v^} ${v^^} ${v:1:3} ${v: -2}"
cat <<<"here string $v"; echo $'tab\there' ; printf -v x '%03d' 7; echo "$x"; echo "${v@Q}" "${!v*}"; n=v; echo "${!n}"
case foo.c in *.c) echo c;; esac; shopt -s nullglob; echo none* end; [[ abc =~ ^a(.)c$ ]] && echo "${BASH_REMATCH[1]}"
