"""Course content as values: read from disk in two formats, checked as a whole, compared with what is stored.

`jiki_format` and `exercism_format` read a folder into a `course.CourseContent` or refuse it with every
mistake at once; `import_plan` compares it with the stored catalogue; `import_report` shows the
difference. Nothing here writes.
"""
