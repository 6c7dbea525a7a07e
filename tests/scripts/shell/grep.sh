# grep.
printf 'apple\nBanana\ncherry\napple pie\n' >f
grep apple f; grep -v apple f; grep -i banana f; grep -n e f; grep -c apple f; grep -x apple f; grep -w pie f
grep '^a' f; grep 'e$' f; grep -E 'a|b' f; grep -F a.p f; echo $?; grep -q cherry f; echo $?; grep nothing f; echo $?
grep -l apple f x 2>/dev/null; grep -o 'an' f; mkdir d; cp f d/g; grep -r Banana d; grep -e apple -e cherry f; grep -A 1 Ban f; grep -m 1 apple f
grep '[[:upper:]]' f; grep 'p\{2\}' f; grep -s x nofile; echo $?; echo 'a.b' | grep 'a\.b'; cat f | grep -h - f | head -n 0; grep -L apple f /dev/null
