"""The patrol device: from a lens to an alarm and a safely kept read, with or without a network.

A frame is looked at, a track becomes one `Read`, the read is compared with the list that lies on the device, the officer
is told, and the read goes into the spool before anything else is done with it. The spool empties itself to the cloud in
order of capture whenever there is a line. Nothing here waits for the network; nothing here needs to know the date.

`run.open_device` puts the parts together; the parts do not know one another.
"""
