"""The command line, `media-workflow COMMAND`: one module a command, and what they share in `shared`.

A command declares its parameters and help; `tools.operations` and the other tools do the work. Only tests import this
package.
"""
