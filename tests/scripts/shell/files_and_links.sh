# Files: links, renames, modes, times, removal.
echo data >a; ln a b; ln -s a s; echo more >>b; cat a s; stat -c '%h %s' a; rm a; cat b; cat s 2>/dev/null || echo dangling
mv b c; ls; cp c d; echo x >d; cat c; chmod 640 c; stat -c %a c; chmod u+x,o+r c; stat -c %a c; ls -l c | cut -c1-10
umask 027; touch u; mkdir ud; stat -c %a u ud; umask 022
mkdir -p p/q/r; rmdir p 2>/dev/null || echo "not empty"; rm -r p; ls -d p 2>/dev/null || echo gone
touch -d '2020-05-06 07:08:09' t; stat -c %Y t >/dev/null; date -u -r t +%Y-%m-%d
cp -p t t2; test t2 -nt t || echo "same time"
mv nothing x 2>/dev/null || echo "no source"; rm nothing 2>/dev/null || echo "nothing to remove"; rm -f nothing; echo $?
mkdir e; mv c e; ls e; mv e f; ls f; touch g; mv f g 2>/dev/null || echo "no directory over a file"
cp -r f h; diff -r f h && echo copied; ln -sf d s; cat s; readlink s
dd if=/dev/zero of=z bs=1024 count=3 2>/dev/null; stat -c %s z; truncate -s 10 z; stat -c %s z; dd if=/dev/zero of=sparse bs=1 seek=100000 count=1 2>/dev/null; stat -c %s sparse
