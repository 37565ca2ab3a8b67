"""Applications of peers, each as short as its own pages show it; they run in environments of their own."""
