r"""The control socket: `state_dir/control.sock`, one JSON object a line each way.

Request `{"command": NAME, ...}`; answer `{"ok": true, "result": ...}` or
`{"ok": false, "error": CODE, "message": TEXT, "hint": TEXT}`. One connection may ask many times.
Admitted by `SO_PEERCRED`: root, the service's own user, members of `service.control_group`.
Every path in an answer is as `os.fsdecode` gives it: escape it before showing it to anybody.

    status                                        the whole state, see `Supervisor.status`
    sweep    [root: id or path]                   sweep now (all roots without one); result: {roots: [id]}
    reload                                        read the configuration again; result: {digest}
    alerts   [limit, since, recorded]             result: list of alert rows, the newest first
    alert    id                                   result: the row with its OCSF `record`; an id may be cut
    entries  [limit, states]                      result: list of entries, the newest first
    entry    id                                   result: the entry with its verdict; likewise
    decide   alert, determination, note           record a determination: true_positive | false_positive |
                                                  authorised | inconclusive; result: the row
    restored entry, path                          the content was given back at `path`; result: the entry
    resend                                        dead letters wait again; result: {count}

To restore: first `decide` (false_positive or authorised: the same bytes in that root are let be from
then on), then put the file in place, then tell `restored`.
"""
