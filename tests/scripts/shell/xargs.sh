# xargs.
seq 1 5 | xargs
seq 1 5 | xargs -n 2
printf 'a b\nc\n' | xargs -n 1 echo item
printf 'a b\0c d\0' | xargs -0 -n 1 echo
seq 1 3 | xargs -I X echo '<X>'
echo | xargs -r echo never
seq 1 1000 | xargs -n 100 echo | wc -l
echo 'quoted "a b" c' | xargs -n 1
seq 1 3 | xargs -n 1 sh -c 'exit $(($0 == 2))'; echo "status $?"
touch f1 f2 f3; ls f* | xargs rm; ls
