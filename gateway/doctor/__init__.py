"""Examines a deployment and says what to do. The looks are thin; the judgements are pure."""
