# Arrays, associative ones too.
a=(one two 'three four'); echo "${#a[@]} ${a[2]}"; a+=(five); printf '<%s>' "${a[@]}"; echo; echo "${!a[@]}" "${a[@]:1:2}"
unset 'a[1]'; echo "${!a[@]}"; declare -A m=([x]=1 [y]=2); m[z]=3; for k in x y z; do echo "$k=${m[$k]}"; done; echo "${#m[@]}"
mapfile -t lines < <(printf '%s\n' a b c); echo "${#lines[@]} ${lines[1]}"; read -ra w <<<"p q r"; echo "${w[2]}"
