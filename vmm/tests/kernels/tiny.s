# The smallest kernels that show what a monitor must do. Which one is chosen when assembling:
#
#   as --32 --defsym KERNEL=0 tiny.s -o tiny.o && ld -m elf_i386 ... does not do: the ELF must be 64-bit, so
#   as --64 --defsym KERNEL=0 tiny.s -o tiny.o && ld -n -e start -Ttext=0x200000 tiny.o -o tiny.elf
#
#   0 says "hello" and exits with 7     1 says "last words" without a newline and triple-faults
#   2 spins for ever                    3 writes 1 MiB, by the doorbell where there is one
#   4 echoes its input to its end       5 rings the doorbell with an address outside memory
#   6 halts for ever

        .section .note.pvh, "a", @note
        .long 4, 4, 18                  # XEN_ELFNOTE_PHYS32_ENTRY
        .asciz "Xen"
        .long start

        .text
        .code32
        .globl start
start:
        mov $0x80000, %esp
.if KERNEL == 0
        mov $hello, %esi
        call print
        mov $7, %eax
        jmp exit
.elseif KERNEL == 1
        mov $words, %esi
        call print
        lidt nothing
        ud2
.elseif KERNEL == 2
1:      jmp 1b
.elseif KERNEL == 3
        mov $0x400000, %edi
        mov $0x100000 / 4, %ecx
        mov $0x0a646362, %eax           # "bcd\n"
        rep stosl
        mov $0xc0b0, %dx
        in %dx, %eax
        cmp $0x62776f63, %eax
        jne 1f
        mov $buffer, %eax
        out %eax, %dx
        xor %eax, %eax
        jmp exit
1:      mov $0x400000, %esi
        mov $0x100000, %ecx
        mov $0x3f8, %dx
        rep outsb
        xor %eax, %eax
        jmp exit
.elseif KERNEL == 4
        xor %ebx, %ebx
again:  mov $0x3fd, %dx
        in %dx, %al
        test $0x20, %al                 # room for what may have to be echoed
        jz again
        or %al, %bl                     # reading takes the break away
        test $0x01, %al
        jz again
        mov $0x3f8, %dx
        in %dx, %al
        test $0x10, %bl
        jnz 2f
        out %al, %dx
        jmp again
2:      mov $0x3fd, %dx
        in %dx, %al
        test $0x40, %al                 # all sent
        jz 2b
        xor %eax, %eax
        jmp exit
.elseif KERNEL == 5
        mov $0xc0b0, %dx
        mov $0xfffffff0, %eax
        out %eax, %dx
        xor %eax, %eax
        jmp exit
.elseif KERNEL == 6
        cli
1:      hlt
        jmp 1b
.endif

print:  mov $0x3f8, %dx
1:      lodsb
        test %al, %al
        jz 2f
        out %al, %dx
        jmp 1b
2:      ret

exit:   mov $0xf4, %dx
        out %eax, %dx
1:      hlt
        jmp 1b

        .balign 8
buffer: .quad 0x400000, 0x100000
nothing:.word 0
        .long 0
hello:  .asciz "hello\n"
words:  .asciz "last words"
