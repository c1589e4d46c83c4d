"""Identity card readers: what the hall may keep of a card, and nothing else.

Reading order
    sam.py     the frames of the SAM_V module that is in every reader (pure)
    cards.py   the four layouts of a card's text, and what of it may leave: a keyed hash, an age band, 张* (pure)
    reader.py  the state driver: find, select, read, wipe

A number, a name, an address or a photo is never stored, logged or sent. The photo is not decoded. What was read lies in
buffers that are overwritten as soon as the three words above are made of them.
"""
