# Small tools on strings.
echo hello | rev; echo abc | od -c | head -n 1; echo -n abc | od -An -tx1; echo abc | hexdump -C | head -n 1; echo hello | base64; echo aGVsbG8K | base64 -d
seq -s , 1 5; seq 2 2 10 | tr '\n' ' '; echo; seq -w 8 11; printf 'a\tb\n' | expand | cat -A; paste -d : x y 2>/dev/null; echo $?
printf '1\n2\n3\n' >x; printf 'a\nb\n' >y; paste x y; paste -s x; printf 'a 1\n' >j; printf 'a 2\n' >k;
echo 'one two three' | cut -d ' ' -f 2-; echo abcdef | cut -c 2,4-5; expr substr hello 2 3; echo 3 4 | dc -e '? + p' 2>/dev/null; echo '2^10' | bc 2>/dev/null
cksum <x; sum x; md5sum x; sha1sum x; strings /dev/null; tr '[:lower:]' '[:upper:]' <j; comm x y 2>/dev/null | head -n 2; shuf -n 0 x; od -An -td4 -N4 /dev/zero | tr -d ' '
