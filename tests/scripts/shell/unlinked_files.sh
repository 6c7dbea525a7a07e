# Files that are open live on without a name.
echo kept >f; exec 3<f; rm f; cat <&3; exec 3<&-
exec 4>g; rm g; echo lost >&4; exec 4>&-; test -e g || echo "no g"
seq 1 100 >h; (rm h; wc -l | tr -d ' ') <h
mkdir d; echo x >d/f; exec 5<d/f; rm -r d; cat <&5; exec 5<&-
echo old >r; exec 6<r; echo new >r2; mv r2 r; cat <&6; cat r; exec 6<&-
echo 12345 >a; exec 7>>a; echo 6 >>a; echo 7 >&7; cat a; exec 7>&-
exec 8<>rw; echo hello >&8; exec 8>&-; cat rw; printf X 1<>rw; cat rw
