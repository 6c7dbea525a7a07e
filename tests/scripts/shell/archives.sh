# tar, cpio and gzip there and back.
mkdir -p d/sub; echo data >d/file; seq 1 500 >d/sub/numbers; ln -s file d/link; chmod 751 d/file; : >d/empty
tar cf a.tar d; tar tf a.tar | sort
mkdir x; tar xf a.tar -C x; cmp d/sub/numbers x/d/sub/numbers && echo same; readlink x/d/link; stat -c '%a %F' x/d/file x/d/sub
tar czf a.tgz d; mkdir y; tar xzf a.tgz -C y; diff -r d y/d && echo "no difference"
tar cf - d | tar tf - | wc -l
find d | sort | cpio -o -H newc 2>/dev/null >a.cpio; mkdir z; (cd z; cpio -id 2>/dev/null <../a.cpio); cat z/d/file; cpio -t <a.cpio 2>/dev/null | sort
gzip -c d/sub/numbers >n.gz; gunzip -c n.gz | cmp - d/sub/numbers && echo "gzip alike"
cp d/sub/numbers n; gzip n; ls n*; gunzip n.gz -f; tail -n 1 n; zcat a.tgz | tar t | head -n 1
gzip -t a.tgz && echo intact; echo garbage | gunzip 2>/dev/null || echo "refused"
