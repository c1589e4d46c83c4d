"""The voice that calls a ticket to a window.

Reading order
    phrases.py      the languages a hall can speak: language -> the file that knows its sentences
    phrases_zh.py phrases_en.py   one phrase file per language (pure)
    sound.py        samples, chime, loudness, WAV (pure)
    engine.py       `Engine`: a line -> samples; `Chain`; espeak-ng through pyttsx3 in a child process, killable
    clips.py        a recorded voice: a folder of units with a manifest, joined to calls
    child.py        what runs in that child
    player.py       samples -> a sound card, a network loudspeaker or a folder
    speaker.py      the job driver: puts the above together; never reports silence as said
"""
