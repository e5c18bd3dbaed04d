"""`python -m service.llm.local_server WEIGHTS PORT CONTEXT THREADS`: the child process that serves a packaged model.

Ends when its standard input is closed, so it never outlives the run that started it.
"""

import sys

import xllamacpp


def main() -> None:
    path, port, context, threads = sys.argv[1:5]
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.hostnames = ["127.0.0.1"]
    params.port = int(port)
    params.n_ctx = int(context) * 2
    params.n_parallel = 2
    params.cpuparams.n_threads = int(threads)
    params.cpuparams_batch.n_threads = int(threads)
    params.warmup = False
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
