"""Chat models: one seam (`chat.ChatModel`), LangChain behind it, and everything that makes a reply safe to use."""
