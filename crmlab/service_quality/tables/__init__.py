"""Surveys and their instruments, read and checked."""
