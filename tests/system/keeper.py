"""The first process of a ground (see ground.py): holds its network namespaces, starts commands in them, opens sockets there.

Requests and answers are JSON, one datagram each, descriptors beside them. One request, one answer, in turn. It is also the
init of its process namespace, so it reaps whatever loses its parent. It imports little, because every test starts one.
"""

import ctypes
import fcntl
import json
import os
import select
import signal
import socket
import struct
import sys


class Keeper:
    CLONE_NEWNET = 0x40000000
    TUNSETIFF = 0x400454ca

    def __init__(self, descriptor):
        self.socket = socket.socket(fileno=descriptor)
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.home = self.this_namespace()
        self.running = {}  # pid: the pipe that wants to know how it ended

    @staticmethod
    def this_namespace():
        return os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def must(self, result):
        if result != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    def serve(self):
        """Answers until the other end closes; the kernel then ends all that still runs."""
        wake, tell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(tell)
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        poll.register(wake, select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in poll.poll()]
            if wake in ready:
                os.read(wake, 4096)
                self.reap()
            if self.socket.fileno() in ready:
                request, got, _, _ = socket.recv_fds(self.socket, 65536, 4)
                if not request:
                    return
                self.answer(json.loads(request), got)

    def answer(self, request, got):
        descriptors = []
        try:
            answer, descriptors = getattr(self, "do_" + request["do"])(request, got)
        except OSError as error:
            answer = {"error": str(error)}
        finally:
            for descriptor in got:
                if descriptor not in self.running.values():
                    os.close(descriptor)
        socket.send_fds(self.socket, [json.dumps(answer).encode()], descriptors)
        for descriptor in descriptors:
            os.close(descriptor)

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.tell_end(self.running.pop(pid, None), status)

    @staticmethod
    def tell_end(descriptor, status):
        if descriptor is None:
            return  # an orphan that became ours
        code = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        try:
            os.write(descriptor, str(code).encode())
        except BrokenPipeError:
            pass  # nobody wants to know any more
        os.close(descriptor)

    def inside(self, host, work):
        self.must(self.libc.setns(host, self.CLONE_NEWNET))
        try:
            return work()
        finally:
            self.must(self.libc.setns(self.home, self.CLONE_NEWNET))

    def do_host(self, _request, _got):
        self.must(self.libc.unshare(self.CLONE_NEWNET))
        host = self.this_namespace()
        self.must(self.libc.setns(self.home, self.CLONE_NEWNET))
        return {"host": host, "path": f"/proc/{os.getpid()}/fd/{host}"}, []

    def do_start(self, request, got):
        actions = [(os.POSIX_SPAWN_DUP2, descriptor, number) for number, descriptor in enumerate(got[:3])]
        environment = {**os.environ, **request["env"]}
        argv = request["argv"]

        def start():
            return os.posix_spawnp(argv[0], argv, environment, file_actions=actions, setsigdef=[signal.SIGPIPE])

        try:
            pid = self.inside(request["host"], start)
        except OSError as error:
            os.write(got[2], f"{argv[0]}: {error.strerror}\n".encode())
            os.write(got[3], b"127")  # as the shell has it
            return {"pid": 0}, []
        self.running[pid] = got[3]
        return {"pid": pid}, []

    def do_signal(self, request, _got):
        if request["pid"] in self.running:
            os.kill(request["pid"], request["number"])
        return {}, []

    def do_socket(self, request, _got):
        kind = (request["family"], request["kind"], request["protocol"])
        return {}, [self.inside(request["host"], lambda: socket.socket(*kind).detach())]

    def do_tunnel(self, request, _got):
        def attach():
            device = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
            fcntl.ioctl(device, self.TUNSETIFF, struct.pack("16sH22x", request["link"].encode(), request["flags"]))
            return device
        return {}, [self.inside(request["host"], attach)]

    def do_sysctl(self, request, _got):
        def write():
            with open("/proc/sys/" + request["path"], "w", encoding="ascii") as file:
                file.write(request["value"])
        self.inside(request["host"], write)
        return {}, []


if __name__ == "__main__":
    Keeper(int(sys.argv[1])).serve()
