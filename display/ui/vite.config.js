import { pages } from '@jiaohao/lib/vite'

export default pages('display', import.meta.dirname)
