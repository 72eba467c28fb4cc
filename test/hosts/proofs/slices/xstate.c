/*
 * Lets User Mode Linux run on processors with AMX. Linux 6.1 as user-mode-linux sets the extended state of a process
 * (XSAVE) with a buffer of 2,696 bytes. The machine's kernel takes only the whole state (xstateregs_set in
 * arch/x86/kernel/fpu/regset.c), which is 11,008 bytes there, and answers EFAULT. This library, loaded by LD_PRELOAD,
 * adds the missing part, as the process has it.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static _Alignas(64) char state[1 << 16];

long ptrace(enum __ptrace_request request, ...)
{
	va_list list;
	va_start(list, request);
	pid_t pid = va_arg(list, pid_t);
	void *address = va_arg(list, void *);
	void *data = va_arg(list, void *);
	va_end(list);

	struct iovec whole = {state, sizeof state};
	if (request == PTRACE_SETREGSET && address == (void *)NT_X86_XSTATE) {
		struct iovec *part = data;
		if (syscall(SYS_ptrace, PTRACE_GETREGSET, pid, address, &whole) < 0)
			return -1;
		memcpy(state, part->iov_base, part->iov_len < whole.iov_len ? part->iov_len : whole.iov_len);
		data = &whole;
	}
	long peeked;
	if (request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER)
		return syscall(SYS_ptrace, request, pid, address, &peeked) < 0 ? -1 : peeked;
	return syscall(SYS_ptrace, request, pid, address, data);
}
