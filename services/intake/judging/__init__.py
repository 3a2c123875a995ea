"""Whether a file is what it may be, and nothing besides: judged apart from the service.

`content` opens it in a process of its own, whose memory and time are bounded: what breaks or
exhausts a library there takes nothing with it. `viruses` asks ClamAV. `child` is that process.
"""
