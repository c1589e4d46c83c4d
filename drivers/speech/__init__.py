"""The voice that calls a ticket to a window.

Reading order
    phrases.py      the languages a hall can speak: language -> the file that knows its sentences
    phrases_zh.py phrases_en.py   one phrase file per language (pure)
    sound.py        samples, chime, loudness, WAV (pure)
    engine.py       `Engine`: a line -> samples; `Chain` asks several in turn (pure)
    clips.py        a recorded voice: a folder of units with a manifest, joined to calls
    signs.py pinyin.py  what a rendered voice is told (pure)
    render.py       renders ahead, on this machine; kokoro.py is what runs in its child
    piper.py        piper with a voice file of the hall's
    machine.py      espeak-ng or the system's own voice through pyttsx3; child.py is what runs in its child
    prompts.py      what a kiosk says, as a folder of clips (pure)
    kept.py         a folder of speech that was made once
    player.py       samples -> a sound card, a network loudspeaker or a folder
    speaker.py      the job driver: puts the above together; never reports silence as said
"""
