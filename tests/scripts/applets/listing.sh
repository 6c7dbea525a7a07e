# ls, stat, touch, readlink, realpath, mkdir, rmdir.
mkdir -p d/e; echo 123 >d/f; ln -s f d/l; mkfifo d/p; chmod 4755 d/f; touch -d '2010-10-10 10:10:10' d/f d/e d/p
ls d; ls -1 d; ls -a d; ls -A d; ls -F d; ls -r d; ls -S d | head -n 1; ls -R d; ls -d d; ls -p d; ls -l d/f d/p | sed 's/ [0-9]* [^ ]* *[^ ]* *\([0-9]*\) Oct/ \1 Oct/'
stat -c '%n %s %a %A %F %h %Y' d/f d/p; stat -c '%F %N' d/l; stat -L -c %F d/l; stat d/f | grep -c Access; stat -f d >/dev/null && echo filesystem; stat nothing; echo $?
touch new; ls new; touch -c none; ls none; touch -r d/f new; stat -c %Y new; mkdir d; mkdir x y/z; echo $?; mkdir -m 700 m; stat -c %a m; rmdir d; rmdir x; rmdir -p y/z; mkdir -p y/z; rmdir -p y/z; ls
readlink d/l; realpath d/l | sed 's/.*work//'; ls -i d/f | grep -c '[0-9] d/f'; ls nothing; echo $?; ls -la d | wc -l
