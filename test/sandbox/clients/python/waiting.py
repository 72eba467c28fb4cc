import time


def wait_for(what, ask, holds):
    """Asks again until `holds`; gives the last answer."""
    deadline = time.monotonic() + 20
    while not holds(answer := ask()):
        assert time.monotonic() < deadline, f"{what}: {answer}"
        time.sleep(0.05)
    return answer
