"""A report is a notebook, its parameters and its data, executed once and kept.

parameters   what a notebook takes, and whether what it was given will do
runner       one run, from the checked parameters to the published folder
execute      the child process that papermill works in
manifest     the truth about a run
store        where runs are kept, and how they appear there all at once
render       a run's notebook as a page to read
site         the index of reports and runs
"""
