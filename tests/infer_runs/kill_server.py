"""Runs to be killed, forked from a process that has made its imports: `python kill_server.py`.

Every line of standard input is a request as JSON: ``folder``, ``sampler``, ``mode``, ``options`` and ``die_at``, the
number of the file operation within which the run kills itself, or the name of a file within whose first lines it does,
or null. Answers are lines as well: the process id of the run, then, when it has ended, the number of its signal or 0,
and how many file operations it made (-1 if killed).
"""

import json
import os
import signal
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from toy_job import SETTINGS, job

from stellarcr.infer import files


class MortalFiles:
    """Counts what the package does with files, and dies in the middle of the `die_at`-th operation."""

    def __init__(self, die_at):
        self.count, self.die_at = 0, die_at
        self.open, self.replace, self.unlink = open, os.replace, os.unlink

    def due(self, name=""):
        self.count += 1
        return self.die_at in (self.count, name)

    def wrap(self, original):
        def call(*arguments, **options):
            if self.due():
                die()
            return original(*arguments, **options) if original is not None else None

        return call

    def install(self):
        # What is written is not waited for: the system keeps it when a process is killed, and the disk may be busy.
        os.replace, os.unlink, os.fsync = self.wrap(self.replace), self.wrap(self.unlink), self.wrap(None)
        files.open = lambda path, mode: MortalFile(self.open(path, mode), self)


class MortalFile:
    """An open file that can be left half written."""

    def __init__(self, file, operations):
        self.file, self.operations = file, operations
        self.purpose = Path(file.name).name.removeprefix(".").removesuffix(".tmp")  # the file that it will replace

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def __getattr__(self, name):
        return getattr(self.file, name)

    def write(self, content):
        if self.operations.due(self.purpose):
            self.file.write(bytes(content)[: len(content) // 2])
            self.file.flush()
            die()
        return self.file.write(content)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def serve(request, answers):
    operations = MortalFiles(request["die_at"])
    operations.install()
    job(request["folder"], request["sampler"], resume=request["mode"] == "resume", **request["options"])
    os.write(answers, str(operations.count).encode())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:  # what is imported late is imported here, once for all
        for number, sampler in enumerate(SETTINGS):
            job(Path(folder) / str(number), sampler, max_calls=2000)
    for line in sys.stdin:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                serve(json.loads(line), write)
                code = 0
            finally:
                sys.stderr.flush()
                os._exit(code)
        os.close(write)
        print(child, flush=True)
        status = os.waitpid(child, 0)[1]
        count = os.read(read, 20).decode() or "-1"
        os.close(read)
        print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status), count, flush=True)
