# Directories with many files.
mkdir m; i=0; while [ $i -lt 60 ]; do : >m/file$i; i=$((i + 1)); done
ls m | wc -l | tr -d ' '; ls m | sort | head -n 3; set -- m/*; echo $#
rm m/*5; ls m | wc -l | tr -d ' '; find m -name 'file1*' | wc -l | tr -d ' '
mkdir -p a/b/c/d/e/f/g/h/i/j; cd a/b/c/d/e/f/g/h/i/j; echo deep >f; cd ../../../../../../../../../..; cat a/b/c/d/e/f/g/h/i/j/f; rm -r a m; ls
n=$(printf 'n%.0s' 1 2 3 4 5 6 7 8 9 10); l=$n$n$n$n$n$n$n$n$n$n; mkdir $l$l && ls | wc -c | tr -d ' '; touch $l$l$l$l 2>/dev/null || echo "too long"
touch -- -dash; ls; rm -- -dash; touch 'new
line' "quo'te"; ls | wc -l | tr -d ' '; rm -r *; ls -a | wc -l | tr -d ' '
