"""Call-backs: whether what was closed is really fixed, asked by telephone of a random sample of residents.

`samples.plan_sample` says how many cases of a month are drawn and from which, `samples.draw` draws them;
`call_sheets.read_sheet` lists the drawn cases of an account, `call_results.record_result` stores what came of a call,
and `call_results.read_call_backs` is the frame that bulletin and dashboards count. `closure_register.read_register`
holds the closures that residents contradict. Never the company, and nobody who answered a case, calls its resident.
"""
