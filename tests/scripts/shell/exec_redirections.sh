# exec: replacing the shell, and descriptors for good.
(exec echo replaced; echo never)
(exec >file; echo a; echo b; ls nothing 2>&1 | grep -c nothing); cat file
exec 3>&1; (exec >/dev/null; echo lost; echo kept >&3); exec 3>&-
exec 6<<END
line one
line two
END
read -r a <&6; read -r b <&6; exec 6<&-; echo "$b, $a"
(exec nosuchprogram) 2>/dev/null; echo "status $?"
(exec sh -c 'echo $0 $1' name argument)
(exec 3<file; exec 4<&3; read -r x <&4; read -r y <&3; echo "$x $y")
exec 7>log 8>&7; echo 1 >&7; echo 2 >&8; exec 7>&- 8>&-; cat log
(exec 0</dev/null; cat; echo "nothing to read")
