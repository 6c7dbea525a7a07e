# Redirections to and from files and descriptors.
echo first >file
echo second >>file
cat <file
echo replaced >file; cat file
ls nothing 2>errors; echo "status $?"; test -s errors && echo "an error was written"
{ echo out; echo err >&2; } >both 2>&1; cat both
{ echo out; echo err >&2; } 2>&1 >/dev/null | sed 's/^/piped: /'
exec 3>third; echo to three >&3; exec 3>&-; cat third
exec 4<third; read -r line <&4; echo "read $line"; exec 4<&-
echo closed >&4 2>/dev/null || echo "descriptor 4 is closed"
: >empty; wc -c <empty | tr -d ' '
echo x >no/such/file || echo "cannot create: $?"
cat <no_file || echo "cannot open: $?"
while read -r a b; do echo "$b,$a"; done <<IN
1 2
3 4
IN
>created; test -f created && echo created
echo swap >out 3>&1 4>&2; cat out
set -C; echo again >out || echo "noclobber: $?"; echo forced >|out; cat out
