# tar gzip gunzip cpio.
mkdir d; seq 100 >d/a; ln -s a d/l; chmod 600 d/a; touch -d '2015-01-01 00:00:00' d/a
tar cvf t.tar d | sort; tar tvf t.tar | awk '{print $1, $NF}' | sort; rm -r d; tar xvf t.tar | sort; stat -c '%a %h %Y' d/a; tar czf t.tgz d/a; tar tzf t.tgz; tar xOf t.tar d/a | tail -n 1; tar xf none; echo $?; echo bad >bad.tar; tar xf bad.tar; echo $?
gzip t.tar; ls; gunzip t.tar.gz; ls; gzip -9 -k t.tar; zcat t.tar.gz | tar t | wc -l; gzip -d t.tar.gz -f; gunzip none.gz; echo $?; gzip -l t.tgz >/dev/null; echo d/a | cpio -o -H newc >c 2>/dev/null; cpio -t <c; rm d/a; cpio -i <c; cat d/a | wc -l; bzip2 -k d/a; bunzip2 -c d/a.bz2 | tail -n 1; ar p none; echo $?
